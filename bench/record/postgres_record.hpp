#pragma once

#include <flashsale/base/time.hpp>
#include <flashsale/postgres.hpp>

#include "site/databases.hpp"
#include "record/record_source.hpp"

namespace flashsale::bench {

/// The record of a deployment: its order and stock databases.
class postgres_record final : public record_source {
public:
    explicit postgres_record(const database_urls& urls);

    std::expected<void, std::string> open() override;
    std::expected<progress, std::string> count(std::span<const std::int64_t> products) override;
    std::expected<record, std::string> read(std::span<const std::int64_t> products) override;

private:
    postgres::session orders_;
    postgres::session stock_;
    timestamp opened_{};  // by the order database's clock
};

}  // namespace flashsale::bench
