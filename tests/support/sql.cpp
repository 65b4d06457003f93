#include "sql.hpp"

#include <libpq-fe.h>

#include <memory>
#include <stdexcept>

namespace flashsale::test {

namespace {

struct closer {
    void operator()(PGconn* connection) const { PQfinish(connection); }
    void operator()(PGresult* result) const { PQclear(result); }
};

/// Where the path of a `postgresql://host/path?parameters` begins and ends.
std::pair<std::size_t, std::size_t> path_of(const std::string& url) {
    const auto authority = url.find("://");
    if (authority == std::string::npos) {
        throw std::runtime_error("'" + url + "' is no postgresql:// URL");
    }
    const auto end = std::min(url.find('?', authority), url.size());
    const auto begin = std::min(url.find('/', authority + 3), end);
    return {begin, end};
}

using connection_ptr = std::unique_ptr<PGconn, closer>;
using result_ptr = std::unique_ptr<PGresult, closer>;

connection_ptr connect(const std::string& url) {
    connection_ptr connection{PQconnectdb(url.c_str())};
    if (PQstatus(connection.get()) != CONNECTION_OK) {
        throw std::runtime_error(PQerrorMessage(connection.get()));
    }
    PQsetNoticeProcessor(connection.get(), [](void*, const char*) {}, nullptr);
    return connection;
}

result_ptr execute(PGconn* connection, const std::string& statement) {
    result_ptr result{PQexec(connection, statement.c_str())};
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        throw std::runtime_error(statement + ": " + PQerrorMessage(connection));
    }
    return result;
}

}  // namespace

sql_rows run_sql(const std::string& url, const std::string& statement) {
    const auto connection = connect(url);
    const auto result = execute(connection.get(), statement);
    sql_rows rows;
    for (int row = 0; row < PQntuples(result.get()); ++row) {
        auto& columns = rows.emplace_back();
        for (int column = 0; column < PQnfields(result.get()); ++column) {
            auto& value = columns.emplace_back();
            if (!PQgetisnull(result.get(), row, column)) {
                value = PQgetvalue(result.get(), row, column);
            }
        }
    }
    return rows;
}

table_lock::table_lock(const std::string& url, const std::string& table) {
    auto connection = connect(url);
    execute(connection.get(), "BEGIN; LOCK TABLE " + table + " IN EXCLUSIVE MODE");
    connection_ = connection.release();
}

table_lock::~table_lock() {
    PQfinish(static_cast<PGconn*>(connection_));
}

std::string with_database(const std::string& url, const std::string& database) {
    const auto [begin, end] = path_of(url);
    return url.substr(0, begin) + "/" + database + url.substr(end);
}

std::string database_of(const std::string& url) {
    const auto [begin, end] = path_of(url);
    return begin == end ? std::string{} : url.substr(begin + 1, end - begin - 1);
}

}  // namespace flashsale::test
