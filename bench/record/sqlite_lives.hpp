#pragma once

#include <filesystem>
#include <flashsale/sqlite.hpp>
#include <optional>

#include "record/life_source.hpp"

namespace flashsale::bench {

/// By the files of an embedded deployment, beside the process that serves it.
class sqlite_lives final : public life_source {
public:
    explicit sqlite_lives(std::filesystem::path folder) : folder_{std::move(folder)} {}

    std::expected<void, std::string> open() override;
    std::expected<life_record, std::string> read(std::int64_t product,
                                                 std::span<const std::int64_t> users) override;

private:
    std::filesystem::path folder_;
    std::optional<sqlite::database> users_;
    std::optional<sqlite::database> stock_;
    std::optional<sqlite::database> orders_;
};

}  // namespace flashsale::bench
