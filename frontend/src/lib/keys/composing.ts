// Whether a key belongs to an input method, which composes characters that the keyboard does not have: Enter
// chooses one then, and must not send anything.

interface KeyEvent {
  isComposing: boolean;
  keyCode: number;
}

/** What browsers give instead of the code of a key that the input method takes. */
const TAKEN = 229;

/** In Safari the composition has ended when the Enter that ends it comes: its code alone says whose it is. */
export function isComposing(event: KeyEvent): boolean {
  return event.isComposing || event.keyCode === TAKEN;
}
