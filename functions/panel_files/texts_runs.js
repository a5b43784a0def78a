// The words of the batch and its runs.

import { add } from "./texts.js";

add({
  sync_all: ["批量同步", "Sync all customers"],
  sync_all_what: ["把托管数据写入已关联客户的 CRM 记录;每天也会自动运行。", "Writes the figures into the linked customers’ records. It also runs by itself, daily."],
  sync_all_now: ["全部同步", "Sync all"],
  preview: ["预览变更", "Preview changes"],
  progress: ["已处理 {done} / {total} 个客户", "{done} of {total} customers done"],
  handed_over: ["其余 {remaining} 个客户在后台继续。", "The remaining {remaining} customers go on in the background."],
  counts: ["同步 {synced} · 跳过 {skipped} · 失败 {errors}", "{synced} synced · {skipped} skipped · {errors} failed"],
  ended_badly: ["同步未完成:{state}", "The sync did not complete: {state}"],
  would_sync: ["将更新 {changed} 个客户,共 {total} 个。", "Would change {changed} of {total} customers."],
  last_runs: ["最近运行", "Last runs"],
  no_runs: ["还没有运行过。", "Nothing has run yet."],
  completed: ["完成", "Completed"],
  partial: ["部分完成", "Partial"],
  failed: ["失败", "Failed"],
  abandoned: ["中断", "Abandoned"],
  schedule: ["定时", "scheduled"],
  request: ["手动", "by hand"],
  console: ["命令行", "command line"],
  changed_rows: ["{count} 条记录有变化", "{count} records changed"],
  seconds: ["{count} 秒", "{count} s"],
});
