#pragma once

#include <filesystem>
#include <memory>

#include "record/life_source.hpp"
#include "record/record_source.hpp"

namespace flashsale::bench {

/// The record of the deployment that a configuration and the environment name. Throws
/// std::runtime_error with a sentence if neither names one.
std::unique_ptr<record_source> find_record(const std::filesystem::path& config);

/// The same for the life of its orders.
std::unique_ptr<life_source> find_lives(const std::filesystem::path& config);

}  // namespace flashsale::bench
