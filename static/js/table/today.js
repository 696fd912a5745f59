// Ctrl+; as in a spreadsheet: today's date, or the time, in the cell that is edited or in all that are selected.

import { nowText } from "../data/days.js";
import { ValueError, kindOf } from "../data/values.js";
import { T } from "../grid/texts.js";

/** Put the date or time that it is now where the person is. */
export function giveToday(view) {
  const { sheet, selection, columns } = view.table;
  const editor = sheet.getCellEditor();
  if (editor) {
    const text = nowText(editor.kind);
    if (text) editor.put(text);
    else view.announce(`${editor.column.name}: ${T.todayOnly}`, "error");
    return undefined;
  }
  const active = sheet.getActiveCell();
  if (!active || !selection.range) return undefined;
  return view.edits.change(selection.ranges, (row, cell) => {
    const column = columns[cell];
    const text = nowText(kindOf(column.schema));
    if (text === null) throw new ValueError(T.todayOnly);
    return text;
  });
}
