/** Where the name at somebody's caret is drawn. All in pixels of the window. */

export interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export interface Placement {
  /** How far it is moved to the right; to the left below 0. */
  readonly dx: number;
  /** Below the caret, since above there is no room. */
  readonly below: boolean;
}

/**
 * Keeps a label on the page. It belongs above its caret and begins there; at an edge it gives way.
 *
 * @param label where it would be
 * @param caret the caret, as high as its line
 * @param page what of the page can be seen
 */
export function placeLabel(label: Box, caret: Box, page: Box): Placement {
  const tooFarRight = Math.max(0, label.right - page.right);
  // where it is wider than the page, its beginning is what stays
  const dx = Math.max(-tooFarRight, page.left - label.left);
  const height = label.bottom - label.top;
  const hasRoomBelow = caret.bottom + height <= page.bottom;
  return { dx: dx === 0 ? 0 : dx, below: label.top < page.top && hasRoomBelow };
}
