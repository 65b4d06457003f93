#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "site/child.hpp"
#include "site/databases.hpp"
#include "record/record_source.hpp"

namespace flashsale::bench {

/// The program to be measured, and the servers that it may use.
struct workplace {
    std::string flashsale;  ///< path of the executable
    /// What `serve` is run by, and its arguments; empty: by nothing else.
    std::vector<std::string> runner{};
    std::string config;   ///< path of its configuration
    server_urls servers;  ///< of the stack
    /// Of the embedded configuration: each measurement has a folder of its own beside it.
    std::optional<std::filesystem::path> folder;
};

/// A world of its own for one measurement: on running servers, three databases, a key prefix and
/// names at the broker that no other has; embedded, a folder. Removed at the end, but for the
/// broker's empty queues.
class deployment {
public:
    /// `extra` overrides the configuration. Throws std::runtime_error.
    explicit deployment(const workplace& where, const variables& extra = {});
    ~deployment();
    deployment(const deployment&) = delete;
    deployment& operator=(const deployment&) = delete;

    const std::string& name() const { return name_; }
    const server_urls& servers() const { return mine_; }
    const variables& settings() const { return settings_; }

    /// `flashsale serve`, on a free port.
    std::vector<std::string> serve_command() const;
    /// `flashsale audit`, which waits for the backlog: what does not hold, or nothing.
    std::optional<std::string> audit_fault() const;
    /// What it has stored.
    std::unique_ptr<record_source> record() const;
    /// Embedded, nothing is recorded while `body` runs: what is accepted waits in the log, and then
    /// comes in batches that do not depend on time. On servers it just runs.
    void while_nothing_is_recorded(const std::function<void()>& body) const;
    /// Users that were not created over HTTP: their ids.
    std::vector<std::int64_t> insert_users(std::size_t count) const;

private:
    void point_at_servers();
    void remove();

    workplace where_;
    std::string name_;
    server_urls mine_;
    std::optional<std::filesystem::path> folder_;  ///< embedded
    variables settings_;
};

}  // namespace flashsale::bench
