#pragma once

// The two of them; each function is in the file of what it hands out.

#include "site.hpp"

namespace flashsale::app {

/// Redis or the products table, RabbitMQ and PostgreSQL.
class stack_site final : public site {
public:
    using site::site;

    std::string in_words() const override;
    void migrate(bool force, const report_name& applied) const override;
    std::unique_ptr<serving> serve(std::size_t workers) const override;
    std::unique_ptr<audit::record_view> record_view() const override;
    std::unique_ptr<parked_source> parked(bool to_decide) const override;
    std::unique_ptr<rebuilding> rebuild(std::int64_t shard) const override;
    postgres::session deployment() const override;
};

/// Its data folder. The folder is locked by what changes it, and by an audit while nothing serves
/// it.
class embedded_site final : public site {
public:
    using site::site;

    std::string in_words() const override;
    void migrate(bool force, const report_name& applied) const override;
    std::unique_ptr<serving> serve(std::size_t workers) const override;
    std::unique_ptr<audit::record_view> record_view() const override;
    std::unique_ptr<parked_source> parked(bool to_decide) const override;
    std::unique_ptr<rebuilding> rebuild(std::int64_t shard) const override;
    postgres::session deployment() const override;
};

}  // namespace flashsale::app
