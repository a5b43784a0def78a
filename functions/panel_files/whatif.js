// What the fleet that runs would make at another price, difficulty or electricity price: worked out here, and shown how.

import { said, say, whenMoved } from "./address.js";
import { $, value } from "./dom.js";
import { btc, count, exactly, joined, NONE, tariff, usd } from "./format.js";
import { t } from "./texts.js";

const TERA = 1e12;
const FIELDS = ["price", "hard", "kwh"]; // a bitcoin in $, the difficulty in trillions, a kilowatt-hour in $

let now;

/** Draw the fields, once. */
export function prepareWhatIf() {
  for (const name of FIELDS) {
    $(`if-${name}`).oninput = () => {
      say({ [name]: typed(name) === now[name] ? "" : $(`if-${name}`).value }, false);
      work();
    };
  }
  $("as-now").onclick = () => {
    say(Object.fromEntries(FIELDS.map((name) => [name, ""])), false);
    fill();
  };
  whenMoved(fill);
}

/** Begin with what holds now: the API's figures of what runs. */
export function showWhatIf(stats) {
  const { btc_price: price, estimated_daily_usd: revenue, electricity_cost_daily: cost } = stats;
  const energy = stats.active_power * 0.024; // kWh a day
  $("whatif").hidden = !(price && revenue && energy);
  if ($("whatif").hidden) return;
  now = { price, hard: stats.network_difficulty / TERA, kwh: cost / energy, revenue, energy, coins: stats.estimated_daily_btc };
  fill();
}

const rounded = (figure) => Number(figure.toPrecision(8));

/** What is typed there; where nobody has changed it, the exact figure, so that the result is the API's own. */
function typed(name) {
  const figure = $(`if-${name}`).valueAsNumber;
  return figure === rounded(now[name]) ? now[name] : figure;
}

function fill() {
  if (!now) return;
  for (const name of FIELDS) $(`if-${name}`).value = said(name) || rounded(now[name]);
  $("if-now-kwh").textContent = t("now", { figure: joined(perKwh(now.kwh)) });
  $("if-now-price").textContent = t("now", { figure: joined(usd(now.price)) });
  work();
}

function work() {
  const [price, hard, kwh] = FIELDS.map(typed);
  const isRight = { price: price >= 0, hard: hard > 0, kwh: kwh >= 0 };
  for (const name of FIELDS) $(`if-${name}`).ariaInvalid = String(!isRight[name]);
  const known = (figure) => (Object.values(isRight).every(Boolean) ? figure : null);
  const earned = now.revenue * (now.hard / hard); // at the price of now
  const [revenue, cost] = [earned * (price / now.price), now.energy * kwh];
  value($("if-profit"), known(revenue - cost), usd).classList.toggle("loss", revenue < cost);
  value($("if-even-kwh"), known(revenue / now.energy), perKwh);
  value($("if-even-price"), known((cost / earned) * now.price), usd);
  $("as-now").disabled = !FIELDS.some(said);
  const filled = [btc(now.coins), exactly(rounded(now.hard)), exactly(rounded(hard)), usd(price), count(now.energy), tariff(rounded(kwh)), usd(revenue - cost)];
  const [coins, was, is, coin, energy, each, result] = filled.map(joined);
  $("if-formula").textContent = known(`${coins} × ${was} ÷ ${is} × ${coin} − ${energy} kWh × ${each} ≈ ${result}`) ?? t("if_wrong");
}

const perKwh = (figure) => (figure == null ? NONE : tariff(Number(figure.toFixed(4))));
