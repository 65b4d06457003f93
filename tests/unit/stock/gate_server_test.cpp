#include <catch2/catch.hpp>
#include <flashsale/stock/gate_server.hpp>

using namespace flashsale::stock;

namespace {

const std::string info =
    "# Memory\r\nused_memory:9000000\r\nused_memory_human:8.58M\r\nused_memory_dataset:6400000\r\n"
    "used_memory_dataset_perc:80%\r\nmaxmemory:10000000\r\nmaxmemory_human:9.54M\r\n"
    "maxmemory_policy:noeviction\r\nmem_not_counted_for_evict:500000\r\n"
    "lazyfree_pending_objects:3\r\nlazyfreed_objects:7\r\n\r\n"
    "# Stats\r\nevicted_keys:12\r\n\r\n# Replication\r\nrole:master\r\n";

std::string with(std::string what, const std::string& instead) {
    std::string out = info;
    const auto at = out.find(what);
    REQUIRE(at != std::string::npos);
    return out.replace(at, what.size(), instead);
}

}  // namespace

TEST_CASE("gate server: what INFO says, and nothing that it does not say") {
    const auto server = parse_gate_server(info);
    REQUIRE(server);
    CHECK(server->policy == "noeviction");
    CHECK_FALSE(server->may_evict());
    CHECK_FALSE(server->replica);
    CHECK(server->evicted_keys == 12);
    CHECK(server->limit_bytes == 10'000'000);
    CHECK(server->used_bytes == 8'500'000);
    CHECK(server->data_bytes == 6'400'000);
    CHECK(server->freeing_objects == 3);
    CHECK(parse_gate_server(with("noeviction", "allkeys-lru"))->may_evict());
    CHECK(parse_gate_server(with("role:master", "role:slave"))->replica);
    for (const char* line :
         {"used_memory:9000000\r\n", "used_memory_dataset:6400000\r\n", "maxmemory:10000000\r\n",
          "maxmemory_policy:noeviction\r\n", "lazyfree_pending_objects:3\r\n",
          "evicted_keys:12\r\n", "mem_not_counted_for_evict:500000\r\n"})
        CHECK_FALSE(parse_gate_server(with(line, "")));
    CHECK_FALSE(parse_gate_server(with("evicted_keys:12", "evicted_keys:many")));
}

TEST_CASE("gate server: what a rebuild needs is a piece, and a sixteenth of what is there") {
    auto server = *parse_gate_server(info);
    CHECK(server.free_bytes() == 1'500'000);
    CHECK(server.rebuild_needs_bytes(2'000) == 1'024'000 + 400'000);
    CHECK(server.rebuild_lacks_bytes(2'000) == 0);
    server.used_bytes += 100'000;
    CHECK(server.rebuild_lacks_bytes(2'000) == 24'000);
    server.used_bytes = server.limit_bytes + 1;
    CHECK(server.free_bytes() == 0);
    CHECK(server.rebuild_lacks_bytes(2'000) == 1'424'000);
    server.limit_bytes = 0;  // none
    CHECK(server.rebuild_lacks_bytes(2'000) == 0);
}

TEST_CASE("gate server: keys evicted before the gate was begun are not its own") {
    gate_server server;
    server.evicted_keys = 5;
    CHECK_FALSE(evicted_since({1, 5}, server));
    CHECK(evicted_since({1, 4}, server));
    CHECK(evicted_since({1, 6}, server));             // counted anew: it cannot be told
    CHECK(evicted_since({1, std::nullopt}, server));  // begun by an older version
    server.evicted_keys = 0;
    CHECK_FALSE(evicted_since({1, std::nullopt}, server));
}

TEST_CASE("gate server: an epoch's seq only grows") {
    seq_watch watch;
    CHECK_FALSE(watch.went_back(1, 0));
    CHECK_FALSE(watch.went_back(1, 7));
    CHECK_FALSE(watch.went_back(1, 7));
    CHECK(watch.went_back(1, 6));
    CHECK(watch.went_back(1, 6));
    CHECK_FALSE(watch.went_back(1, 8));
    CHECK_FALSE(watch.went_back(2, 0));
    CHECK_FALSE(watch.went_back(2, 3));
    CHECK(watch.went_back(2, 2));
}

TEST_CASE("gate server: a gate has taken what the record has, or more") {
    using product = gate::levels::product;
    CHECK_FALSE(behind_its_record(1, 10, 10, std::nullopt));
    CHECK_FALSE(behind_its_record(1, 10, 6, product{6, 10}));
    CHECK_FALSE(behind_its_record(1, 10, 6, product{0, 10}));
    // A restock that one of the two does not know of.
    CHECK_FALSE(behind_its_record(1, 15, 11, product{6, 10}));
    CHECK_FALSE(behind_its_record(1, 10, 6, product{11, 15}));
    CHECK(behind_its_record(1, 10, 6, product{7, 10}));
    CHECK(behind_its_record(1, 15, 11, product{7, 10}));
    CHECK(behind_its_record(1, 10, 6, product{12, 15}));
    CHECK(behind_its_record(1, 10, 9, std::nullopt));
}
