#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "world.hpp"

namespace flashsale::test {

/// One fault, under load. It is over when `fault` returns: what it broke is mended by then, and the
/// sale has to go on.
struct cell {
    std::string name;
    std::function<void(world&)> fault;
    world_options options = {};
    std::set<stack::server> damages = {};  ///< servers that the next cell gets anew
    bool crash_points = false;             ///< with the executable that has them
};

std::vector<cell> process_cells();
std::vector<cell> redis_cells();
std::vector<cell> loss_cells();
std::vector<cell> memory_cells();
std::vector<cell> fence_cells();
std::vector<cell> fence_stall_cells();
std::vector<cell> rabbitmq_cells();
std::vector<cell> postgres_cells();
std::vector<cell> recorder_cells();
std::vector<cell> lease_cells();
std::vector<cell> life_cells();
std::vector<cell> hold_cells();
std::vector<cell> payment_cells();
std::vector<cell> network_cells();
std::vector<cell> client_cells();

/// A guard left out, or several (with commas), in a cell that must then be red.
struct control {
    std::string guard;
    std::string cell;
};
std::vector<control> controls();

}  // namespace flashsale::test
