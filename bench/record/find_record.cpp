#include "record/find_record.hpp"

#include "record/postgres_lives.hpp"
#include "record/postgres_record.hpp"
#include "record/sqlite_lives.hpp"
#include "record/sqlite_record.hpp"
#include "site/databases.hpp"

namespace flashsale::bench {

std::unique_ptr<record_source> find_record(const std::filesystem::path& config) {
    if (const auto folder = find_data_folder(config, process_environment)) {
        return std::make_unique<sqlite_record>(*folder);
    }
    return std::make_unique<postgres_record>(find_databases(config, process_environment));
}

std::unique_ptr<life_source> find_lives(const std::filesystem::path& config) {
    if (const auto folder = find_data_folder(config, process_environment)) {
        return std::make_unique<sqlite_lives>(*folder);
    }
    return std::make_unique<postgres_lives>(find_databases(config, process_environment),
                                            find_user_database(config, process_environment));
}

}  // namespace flashsale::bench
