#pragma once

#include <flashsale/base/metrics.hpp>

namespace flashsale::app::metrics {

extern metric log_lines_lost;
extern metric reloads_refused;

}  // namespace flashsale::app::metrics
