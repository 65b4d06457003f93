#pragma once

#include <string_view>
#include <vector>

#include "config.hpp"

namespace flashsale::app {

/// The keys that differ between what runs and what was read.
struct config_changes {
    std::vector<std::string_view> taken;    ///< a running process can have them
    std::vector<std::string_view> waiting;  ///< the next start has them
};

/// Brings `running` as near to `read` as a running process can come.
config_changes take_changes(config& running, config read);

}  // namespace flashsale::app
