#pragma once

// What a process on servers makes sure of before it takes orders. Blocking. Throws config_error or
// unavailable_error.

#include <string>

#include "compose.hpp"

namespace flashsale::app {

/// Everything answers, and nothing has been written anywhere: a start that fails here leaves no
/// trace in what is the deployment's.
void require_servers(const config& settings, stock::shard_epochs& epochs,
                     postgres::session& stock_database);

/// Gates that outlive their processes are open, or held, or shut out. `deployment`: as
/// agree_on_deployment() returned it.
void prepare_shards(const config& settings, stock::shard_epochs& epochs,
                    const std::string& deployment, events::log& log);

}  // namespace flashsale::app
