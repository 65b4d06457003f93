#pragma once

#include <iostream>
#include <string>
#include <vector>

#include "load/connection.hpp"

namespace flashsale::bench {

/// What --url says. False: one of them is no URL, which is said on stderr.
inline bool read_targets(const std::vector<std::string>& urls, std::vector<target>& into) {
    for (const auto& url : urls) {
        auto parsed = parse_target(url);
        if (!parsed) {
            std::cerr << "flashsale-bench: " << parsed.error() << "\n";
            return false;
        }
        into.push_back(std::move(*parsed));
    }
    return true;
}

}  // namespace flashsale::bench
