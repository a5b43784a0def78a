import { become, open } from "./page.js";
open(async () => become("ready"));
