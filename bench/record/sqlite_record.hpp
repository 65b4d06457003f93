#pragma once

#include <flashsale/base/time.hpp>
#include <flashsale/sqlite.hpp>

#include <filesystem>
#include <functional>
#include <optional>

#include "record/record_source.hpp"

namespace flashsale::bench {

/// The record of an embedded deployment, read beside the process that serves it.
class sqlite_record final : public record_source {
public:
    explicit sqlite_record(std::filesystem::path folder) : folder_{std::move(folder)} {}

    std::expected<void, std::string> open() override;
    /// By the products' stock, which tells both, because orders are of one unit each and a movement
    /// comes after its order: to count the rows again and again would slow down what is measured.
    std::expected<progress, std::string> count(std::span<const std::int64_t> products) override;
    std::expected<record, std::string> read(std::span<const std::int64_t> products) override;

private:
    std::filesystem::path folder_;
    std::optional<sqlite::database> orders_;
    std::optional<sqlite::database> stock_;
    timestamp opened_{};
};

/// Users that were not created over HTTP, into a folder that has none: their ids. Throws
/// std::runtime_error.
std::vector<std::int64_t> insert_sqlite_users(const std::filesystem::path& folder,
                                              std::size_t count);

/// Runs `body` while no other can write to the order database. Throws std::runtime_error.
void hold_sqlite_orders(const std::filesystem::path& folder, const std::function<void()>& body);

}  // namespace flashsale::bench
