#pragma once

#include <chrono>
#include <functional>

namespace flashsale::test {

/// Asks again until `condition` holds (true) or `limit` has passed (false).
bool eventually(std::chrono::milliseconds limit, const std::function<bool()>& condition);

}  // namespace flashsale::test
