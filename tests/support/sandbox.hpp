#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "process.hpp"
#include "scratch_folder.hpp"
#include "sql.hpp"

namespace flashsale::test {

/// The two configurations.
enum class composition {
    stack,     ///< on the running servers: three fresh databases, a Redis key prefix, an AMQP
               ///< namespace
    embedded,  ///< in a folder: needs no server
};

/// When a server that does not answer is given up.
enum class deadlines {
    shipped,  ///< by the configuration's defaults
    patient,  ///< much later: a busy machine is no fault. A test of one of them sets it itself
};

/// A world of its own for one test. Removed at the end; what a failed removal leaves behind is
/// harmless.
class sandbox {
public:
    enum class database { user, stock, order };

    /// Throws std::runtime_error with what to do if the servers' variables are not set, or
    /// `flashsale migrate` fails. `extra` overrides the configuration in every program of this
    /// sandbox: {"FLASHSALE_STOCK__GATE", "database"}; with the gate "memory" it is embedded.
    explicit sandbox(const environment& extra = {});
    /// Embedded: in a folder of its own, unless FLASHSALE_SQLITE__FOLDER in `extra` says another.
    explicit sandbox(composition kind, const environment& extra = {},
                     deadlines wanted = deadlines::patient);
    ~sandbox();
    sandbox(const sandbox&) = delete;
    sandbox& operator=(const sandbox&) = delete;

    /// Unique, letters and digits: the databases' suffix, the key prefix, the namespace.
    const std::string& name() const { return name_; }
    /// What points flashsale, or flashsale-bench, at this world.
    const environment& variables() const { return variables_; }
    /// What is started in this world from now on has it.
    void set(const std::string& variable, std::string value) {
        variables_[variable] = std::move(value);
    }
    /// Of the stack alone.
    std::string url(database which) const;
    /// Of the embedded configuration alone: where its data is.
    const std::filesystem::path& folder() const { return folder_; }
    composition kind() const { return kind_; }
    std::string config_file() const;

    sql_rows sql(database which, const std::string& statement) const;
    /// The only value of the only row, as an integer.
    std::int64_t number(database which, const std::string& statement) const;

    /// Runs `flashsale ARGS… --config FILE` in this world.
    finished flashsale(const std::vector<std::string>& arguments,
                       std::chrono::milliseconds limit = std::chrono::seconds{120}) const;
    /// `flashsale rebuild --shard 0`, and again as long as it says that a serving process has
    /// overtaken it: so it is when the machine is too busy for it to keep its lease.
    finished rebuild() const;

private:
    void point_at_servers();
    std::string own_url(const char* variable) const;
    void make_databases();
    void migrate();
    void remove_databases() const;

    composition kind_;
    std::string name_;
    environment variables_;
    std::optional<scratch_folder> own_folder_;
    std::filesystem::path folder_;
};

}  // namespace flashsale::test
