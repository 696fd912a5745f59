// The editor page begins here.

import "./theme.js";
import { Editor } from "./shell/editor.js";
import { readPage } from "./shell/page.js";

new Editor(readPage()).start();
