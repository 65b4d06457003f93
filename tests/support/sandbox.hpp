#pragma once

#include <cstdint>
#include <string>

#include "process.hpp"
#include "sql.hpp"

namespace flashsale::test {

/// A world of its own on the running servers, for one test: three fresh databases, a Redis key
/// prefix, an AMQP namespace. Removed at the end; what a failed removal leaves behind is harmless.
class sandbox {
public:
    enum class database { user, stock, order };

    /// Throws std::runtime_error with what to do if the servers' variables are not set, or
    /// `flashsale migrate` fails. `extra` overrides the configuration in every program of this
    /// sandbox: {"FLASHSALE_STOCK__GATE", "database"}.
    explicit sandbox(const environment& extra = {});
    ~sandbox();
    sandbox(const sandbox&) = delete;
    sandbox& operator=(const sandbox&) = delete;

    /// Unique, letters and digits: the databases' suffix, the key prefix, the namespace.
    const std::string& name() const { return name_; }
    /// What points flashsale, or flashsale-bench, at this world.
    const environment& variables() const { return variables_; }
    std::string url(database which) const;

    sql_rows sql(database which, const std::string& statement) const;
    /// The only value of the only row, as an integer.
    std::int64_t number(database which, const std::string& statement) const;

    /// Runs `flashsale ARGS… --config config/stack.json` in this world.
    finished flashsale(const std::vector<std::string>& arguments,
                       std::chrono::milliseconds limit = std::chrono::seconds{60}) const;

private:
    void remove_databases() const;

    std::string name_;
    environment variables_;
};

}  // namespace flashsale::test
