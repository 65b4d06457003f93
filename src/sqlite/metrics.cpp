#include "metrics.hpp"

namespace flashsale::sqlite::metrics {

using enum metric::kind;

metric transactions(counter, "sqlite_transactions_total", "Writing transactions committed");
metric transactions_failed(counter, "sqlite_transactions_failed_total",
                           "Transactions rolled back because the file was locked, full or broken");
metric jobs(counter, "sqlite_jobs_total", "Jobs handed to a database's own thread");
metric overloaded(counter, "sqlite_jobs_overloaded_total",
                  "Jobs refused because too many were waiting");

}  // namespace flashsale::sqlite::metrics
