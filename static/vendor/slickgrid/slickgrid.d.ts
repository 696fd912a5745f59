// Written for iris-quart's type check: SlickGrid's protected members, which grid/sheet.js overrides, have no public types.

export const SelectionUtils: any;
export const SlickCellSelectionModel: any;
export const SlickEditorLock: any;
export class SlickGrid {
  constructor(...options: any[]);
  [member: string]: any;
}
export const SlickRange: any;
