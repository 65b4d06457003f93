#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "site/deployment.hpp"

namespace flashsale::bench {

/// What the figures were measured on and with: name and value, in order.
std::vector<std::pair<std::string, std::string>> machine_facts(const workplace& where);

std::string facts_table(const std::vector<std::pair<std::string, std::string>>& facts);
boost::json::object facts_json(const std::vector<std::pair<std::string, std::string>>& facts);

}  // namespace flashsale::bench
