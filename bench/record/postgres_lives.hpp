#pragma once

#include <flashsale/postgres.hpp>

#include "record/life_source.hpp"
#include "site/databases.hpp"

namespace flashsale::bench {

/// By a deployment's three databases.
class postgres_lives final : public life_source {
public:
    postgres_lives(const database_urls& urls, const std::string& user_url);

    std::expected<void, std::string> open() override;
    std::expected<life_record, std::string> read(std::int64_t product,
                                                 std::span<const std::int64_t> users) override;

private:
    postgres::session users_;
    postgres::session stock_;
    postgres::session orders_;
};

}  // namespace flashsale::bench
