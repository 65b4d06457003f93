#include "metrics.hpp"

namespace flashsale::user::metrics {

using enum metric::kind;

metric lookups{counter, "user_lookups_total", "Look-ups in the user database, many users each"};
metric looked_up_users{counter, "user_lookups_users_total", "Users asked for in those look-ups"};
metric overloaded{counter, "user_lookups_overloaded_total", "Look-ups turned away at the limit"};

}  // namespace flashsale::user::metrics
