// Calls back once the page was painted as it is now: sizes that are only estimated before are real then.

export interface AfterPaint {
  /** Once, however often this is asked for meanwhile. */
  ask: () => void;
  cancel: () => void;
}

export function afterPaint(then: () => void): AfterPaint {
  let frame: number | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    ask() {
      // Frames come before the layout and the painting of the same moment; a timer comes behind them.
      frame ??= requestAnimationFrame(() => {
        timer = setTimeout(() => {
          frame = undefined;
          then();
        });
      });
    },
    cancel() {
      if (frame !== undefined) cancelAnimationFrame(frame);
      clearTimeout(timer);
      frame = undefined;
    },
  };
}
