// The question which of two meanings a pasted column has.

import { openDialog } from "../ui/dialog.js";
import { T } from "../grid/texts.js";

const VALUES = { dates: ["dmy", "mdy"], numbers: [".", ","] };

/** Ask what the texts of a column mean; resolves to the order or the decimal sign, or null when it was dismissed. */
export async function askReading(view, { kind, name, text, choices }) {
  const isDate = kind === "dates";
  const labels = isDate ? [T.dayFirst, T.monthFirst] : choices;
  const answer = await openDialog({
    title: isDate ? T.datesTitle(name) : T.numbersTitle(name),
    text: isDate ? T.datesText(text, ...choices) : T.numbersText(text, ...choices),
    class: "small-dialog",
    actions: [
      { label: T.cancel, value: "" },
      ...VALUES[kind].map((value, index) => ({ label: labels[index], value, primary: true })),
    ],
  });
  view.focus();
  return answer || null;
}
