// The runs of the batch, and the batch itself.

import { prepareBatch, showRuns } from "./batch.js";
import { become, open } from "./page.js";
import { t } from "./texts.js";

document.title = `${t("runs")} · ${t("hosting")}`;
prepareBatch(showRuns);
open(async () => {
  await showRuns();
  become("ready");
});
