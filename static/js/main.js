// The editor page begins here.

import "./theme.js";
import { guardCompositions } from "./ui/compositions.js";
import { Editor } from "./shell/editor.js";
import { readPage } from "./shell/page.js";

guardCompositions();
new Editor(readPage()).start();
