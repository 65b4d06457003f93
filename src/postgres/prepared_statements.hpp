#pragma once

#include <flashsale/postgres.hpp>
#include <string>
#include <string_view>
#include <unordered_map>

namespace flashsale::postgres {

/// Which statements one connection has prepared, and under which name the server knows them. A
/// statement that is prepared again gets a new name: statements already under way on the pipeline
/// may still speak of the old one.
class prepared_statements {
public:
    /// The server's name, or null if not prepared. Two statements of one name are a bug.
    const std::string* find(const statement& what) const;

    /// Chooses a name for PREPARE.
    const std::string& add(const statement& what);

    /// Its PREPARE failed, or its plan is no longer good: the next use prepares it again.
    void forget(const std::string& server_name);

    void clear() { known_.clear(); }

private:
    struct entry {
        std::string server_name;
        std::string_view sql;
        int attempts = 0;
        bool prepared = false;
    };
    std::unordered_map<std::string_view, entry> known_;  // statements' names are literals
};

}  // namespace flashsale::postgres
