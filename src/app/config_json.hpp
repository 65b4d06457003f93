#pragma once

#include <boost/json.hpp>

#include <string_view>

namespace flashsale::app {

/// A configuration file's text as JSON: comments and trailing commas are allowed, a byte order mark
/// is skipped, a key given twice is refused, for a reader could not see which one counts. Throws
/// config_error with `name` and the line.
boost::json::value parse_config_json(std::string_view text, std::string_view name);

}  // namespace flashsale::app
