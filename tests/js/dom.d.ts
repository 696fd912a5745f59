// What the type check of static/js takes for granted about the browser.

interface Event {
  /** Our own events carry their data in `detail`; the listener's JSDoc says what it holds. */
  readonly detail?: any;
}

interface ParentNode {
  /** The selector decides the type, which the compiler cannot know. */
  querySelector(selectors: string): any;
  querySelectorAll(selectors: string): NodeListOf<any>;
}

interface Element {
  closest(selectors: string): any;
}

interface Document {
  getElementById(id: string): any;
  readonly activeElement: any;
}

interface EventTarget {
  closest?(selectors: string): any;
  addEventListener(type: string, listener: (event: any) => void, options?: boolean | AddEventListenerOptions): void;
}

interface JSON {
  /** Source text access (ECMA-262 proposal, in browsers since 2023). */
  rawJSON?(text: string): unknown;
}

interface HTMLElement {
  readonly dataset: DOMStringMap;
}
