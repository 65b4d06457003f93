#pragma once

#include <filesystem>
#include <string>

#include "process.hpp"

namespace flashsale::test {

/// Of a process whose wall clock is wrong by so much, such as "+1h" or "+5s"; its steady clock is
/// right.
inline environment wall_clock_off(const std::string& by) {
    std::string library = "libfaketime is not installed: script/bootstrap --stack";
    for (const auto& one : std::filesystem::directory_iterator("/usr/lib")) {
        const auto found = one.path() / "faketime" / "libfaketimeMT.so.1";
        if (std::filesystem::exists(found)) library = found.string();
    }
    return {{"LD_PRELOAD", library}, {"FAKETIME", by}, {"FAKETIME_DONT_FAKE_MONOTONIC", "1"}};
}

}  // namespace flashsale::test
