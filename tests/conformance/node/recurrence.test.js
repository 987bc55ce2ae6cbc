// Random series, as the product shows them and as ical.js, Thunderbird's library, works them out.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isJudged, occurrences } from "./ical-oracle.js";
import { shownSeries } from "./random-series.js";

const SERIES = 2000;
const seed = Number(process.env.RECURRENCE_SEED ?? 20261201);

test(`${SERIES} random series of RECURRENCE_SEED=${seed} occur when ical.js says`, async () => {
  let yielded = 0;
  const wrong = [];
  for (const { timeZone, window, event, occurrences: shown } of await shownSeries(seed, SERIES, isJudged)) {
    const expected = occurrences(event, window, timeZone).map((times) => times.map((at) => new Date(at).toISOString()));
    yielded += expected.length;
    if (JSON.stringify(shown) !== JSON.stringify(expected)) wrong.push({ timeZone, window, event, shown, expected });
  }
  assert.deepEqual(wrong.slice(0, 5), [], `${wrong.length} of ${SERIES} differ`);
  assert.ok(yielded > SERIES * 5, `only ${yielded} occurrences`);
});
