#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace flashsale::bench {

/// One line. Like boost::json::serialize, but 0.566421 and not 5.66421821E-1: six digits suffice.
std::string to_text(const boost::json::value& value);

}  // namespace flashsale::bench
