#pragma once

#include <CLI/CLI.hpp>
#include <memory>

#include "site/deployment.hpp"

namespace flashsale::bench {

/// Declares --config and --flashsale; the returned function finds the rest when the command runs.
std::function<workplace()> add_workplace_options(CLI::App& command);

}  // namespace flashsale::bench
