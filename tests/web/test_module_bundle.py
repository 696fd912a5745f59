"""Linking modules: the same code in the order of its evaluation, one state, and nothing that is not understood."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from iris_quart.web.assets import ENTRY, VENDOR, Assets, assets_root
from iris_quart.web.module_bundle import NotLinkable, link

from .conftest import Site

SOURCES = {
    "js/main.js": (
        'import "./first.js";\nimport { count, next as step } from "./data/count.js";\n'
        'import { Grid } from "../vendor/grid.js";\n/** Starts. */\nexport async function start() {\n'
        '  step();\n  const { later } = await import("./panel/later.js");\n'
        "  return [count(), later(), Grid, globalThis.order.join()];\n}\n"
    ),
    "js/first.js": '(globalThis.order ??= []).push("first");\n',
    "js/data/count.js": (
        '// A count.\nimport "../first.js";\nglobalThis.order.push("count");\nlet now = 0;\n'
        "export const next = () => (now += 1);\nexport function count() {\n  // kept by all\n  return now;\n}\n"
        'export const here = new URL("../x.svg", import.meta.url).pathname;\n'
    ),
    "js/panel/later.js": (
        'import { count, next, here } from "../data/count.js";\n'
        'export const later = () => (next(), [count(), here.slice(here.lastIndexOf("/v"))]);\n'
    ),
    "vendor/grid.js": 'export const Grid = "grid";\n',
}


def test_linked_modules_share_one_state_with_those_that_are_loaded_later(tmp_path: Path) -> None:
    node = shutil.which("node")
    assert node, "Node.js runs the tests of the page's modules"
    bundle = link(SOURCES, "js/main.js", apart="vendor/")
    folder = tmp_path / "v1-linked"
    for name, text in {**SOURCES, **bundle.stubs, "js/main.js": bundle.text}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "run.js").write_text(
        'import { $js_main } from "./js/main.js";\nconsole.log(JSON.stringify(await $js_main.start()));\n'
    )
    ran = subprocess.run([node, folder / "run.js"], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.strip() == '[1,[2,"/v1/js/x.svg"],"grid","first,count"]'


@pytest.mark.parametrize(
    "text",
    [
        "export default 1;",
        "export let changing = 1;",
        'export * from "./other.js";',
        'import * as all from "./other.js";',
        'import other from "./other.js";',
        "export { a as b };",
        'import { "a b" as c } from "./other.js";',
    ],
)
def test_what_the_linker_does_not_know_is_refused(text: str) -> None:
    with pytest.raises(NotLinkable):
        link({"main.js": f"{text}\n", "other.js": "export const a = 1;\n"}, "main.js", apart="vendor/")


def test_a_circle_is_refused() -> None:
    sources = {"a.js": 'import { b } from "./b.js";\n', "b.js": 'import { a } from "./a.js";\n'}
    with pytest.raises(NotLinkable, match="circle"):
        link(sources, "a.js", apart="vendor/")


def test_names_that_would_be_one_are_refused() -> None:
    sources = {"a.js": 'import "./x-y.js";\nimport "./x_y.js";\n', "x-y.js": "", "x_y.js": ""}
    with pytest.raises(NotLinkable):
        link(sources, "a.js", apart="vendor/")


def test_modules_that_cannot_be_linked_are_served_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "main.js").write_text('import { a } from "./a.js";\n')
    (tmp_path / "a.js").write_text("export default 1;\n")
    assert Assets(tmp_path, "main.js").module_graph("main.js") == ("a.js",)


def test_text_over_several_lines_keeps_what_looks_like_a_comment() -> None:
    text = "export const a = `\n// no comment\n`;\n"
    assert "// no comment" in link({"a.js": text}, "a.js", apart="vendor/").text


def test_the_editor_is_linked_and_only_comments_are_left_out() -> None:
    root = assets_root() / "static"
    sources = {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in root.rglob("*.js")}
    bundle = link(sources, ENTRY, apart=VENDOR)
    assert Assets(root, ENTRY).module_graph(ENTRY) == (f"{VENDOR}slickgrid/slickgrid.js",)
    kept = iter(bundle.text.splitlines())
    order = re.findall(r"^// (js/\S+\.js)$", bundle.text, re.MULTILINE)
    assert set(order) == {ENTRY, *bundle.stubs}
    changed = re.compile(r"import|export|import\.meta")
    for name in order:
        for line in sources[name].splitlines():
            text = line.strip()
            if not text or text.startswith(("//", "/*", "*")) or changed.search(line):
                continue
            if re.match(r"^[}\w\s,]*(?:\} from .*)?$", line) and "from" in sources[name][:2000]:
                continue  # perhaps a line of an import
            assert line in kept, f"{name}: {line}"


async def test_linked_files_may_be_kept_and_others_not(site: Site) -> None:
    client = await site.connected()
    html = await (await client.get("/")).get_data(as_text=True)
    (main,) = re.findall(r'<script type="module" src="([^"]+)"', html)
    assert re.match(r"/static/v-[0-9a-f]{12}-linked/js/main\.js$", main)
    for address in (main, main.replace("main.js", "ui/dom.js")):
        response = await client.get(address)
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    stale = await client.get("/static/v-000000000000-linked/js/ui/dom.js")
    assert stale.headers["Cache-Control"] == "no-cache"
    assert "$js_ui_dom" in await stale.get_data(as_text=True)
    plain = await client.get(main.replace("-linked", ""))
    assert "$js_ui_dom" not in await plain.get_data(as_text=True)
