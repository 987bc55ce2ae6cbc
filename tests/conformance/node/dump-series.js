// Prints random series and what the product makes of them, one JSON object a line: `node dump-series.js SEED COUNT`.
import { shownSeries } from "./random-series.js";

const [seed, count] = process.argv.slice(2).map(Number);
for (const series of await shownSeries(seed, count)) console.log(JSON.stringify(series));
