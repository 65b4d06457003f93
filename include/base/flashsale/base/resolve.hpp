#pragma once

#include <expected>
#include <string>
#include <vector>

namespace flashsale {

/// The numeric addresses of a host, in the order in which the system prefers them. Waits for the
/// system's resolver, unless the host is numeric. The error is for people.
std::expected<std::vector<std::string>, std::string> addresses_of(const std::string& host);

}  // namespace flashsale
