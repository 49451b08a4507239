"""From pictures to masks: find, decode, resize, predict, smooth, up-sample, write, and a page to look at."""
