import js from "@eslint/js";
import jsdoc from "eslint-plugin-jsdoc";
import globals from "globals";

export default [
  { ignores: ["static/vendor/**"] },
  js.configs.recommended,
  {
    files: ["static/js/**/*.js"],
    languageOptions: { ecmaVersion: 2025, sourceType: "module", globals: globals.browser },
    plugins: { jsdoc },
    rules: {
      "jsdoc/check-param-names": "error",
      "jsdoc/check-tag-names": "error",
      "jsdoc/valid-types": "error",
      "no-var": "error",
      "prefer-const": "error",
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-restricted-properties": [
        "error",
        { property: "innerHTML", message: "Use textContent: values must never become markup." },
        { property: "outerHTML", message: "Use textContent: values must never become markup." },
      ],
      "max-len": ["error", { code: 120, ignoreRegExpLiterals: true }],
      "no-restricted-globals": ["error", "event", "name"],
    },
  },
  {
    // A sentence stays on one line, where a search finds it whole.
    files: ["static/js/texts.js", "static/js/grid/texts.js"],
    rules: { "max-len": "off" },
  },
  {
    files: ["tests/js/**/*.mjs"],
    languageOptions: { ecmaVersion: 2025, sourceType: "module", globals: { ...globals.node, ...globals.browser } },
  },
];
