#pragma once

#include <flashsale/base/metrics.hpp>

namespace flashsale::user::metrics {

extern metric lookups;
extern metric looked_up_users;
extern metric overloaded;

}  // namespace flashsale::user::metrics
