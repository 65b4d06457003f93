#include "connection.hpp"

#include <spdlog/spdlog.h>

#include <cassert>
#include <limits>

#include "error.hpp"

namespace flashsale::postgres {

namespace {

void on_notice(void*, const PGresult* notice) {
    spdlog::debug("postgres notice: {}", on_one_line(PQresultErrorMessage(notice)));
}

}  // namespace

connection_ptr start_connecting(const conninfo& settings) {
    std::vector<const char*> keywords;
    std::vector<const char*> values;
    for (const auto& [keyword, value] : settings) {
        keywords.push_back(keyword.c_str());
        values.push_back(value.c_str());
    }
    keywords.push_back(nullptr);
    values.push_back(nullptr);
    connection_ptr connection(PQconnectStartParams(keywords.data(), values.data(), 0));
    if (connection) PQsetNoticeReceiver(connection.get(), on_notice, nullptr);
    return connection;
}

parameter_view::parameter_view(const parameters& with) {
    const auto all = with.all();
    types_.reserve(all.size());
    values_.reserve(all.size());
    lengths_.reserve(all.size());
    formats_.assign(all.size(), 1);
    for (const auto& parameter : all) {
        assert(parameter.bytes.size() <= std::numeric_limits<int>::max());
        types_.push_back(parameter.type);
        values_.push_back(parameter.null ? nullptr : parameter.bytes.data());
        lengths_.push_back(static_cast<int>(parameter.bytes.size()));
    }
}

}  // namespace flashsale::postgres
