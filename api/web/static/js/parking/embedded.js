// The places in a frame of another page: they stay up to date, and that is all.

import * as places from "./places.js";

places.start();
