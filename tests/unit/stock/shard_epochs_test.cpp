#include <catch2/catch.hpp>

#include <flashsale/stock/module.hpp>

using namespace flashsale;
using namespace flashsale::stock;

TEST_CASE("shard epochs: an epoch never goes back") {
    shard_epochs known(2);
    known.raise(1, 5);
    known.raise(1, 3);
    CHECK(known.get(1) == 5);
    CHECK(known.get(0) == 0);
}

TEST_CASE("shard epochs: a shard that is shut out stays so until another token is seen") {
    uuid_generator make;
    const uuid first = make.make(), second = make.make();
    shard_epochs known(2);
    known.saw(1, first);
    known.shut_out(1, first);
    CHECK(known.is_shut_out(1));
    CHECK_FALSE(known.is_shut_out(0));
    known.saw(1, first);
    CHECK(known.is_shut_out(1));
    known.saw(1, second);
    CHECK_FALSE(known.is_shut_out(1));
}

TEST_CASE("shard epochs: what comes back late, of a token before, shuts nothing out") {
    uuid_generator make;
    const uuid first = make.make(), second = make.make();
    shard_epochs known(1);
    known.saw(0, second);
    known.shut_out(0, first);
    CHECK_FALSE(known.is_shut_out(0));
    known.shut_out(0, second);
    CHECK(known.is_shut_out(0));
    known.shut_out(7, second);  // no shard of ours
}

TEST_CASE("shard epochs: before any header was seen, whatever comes back counts") {
    uuid_generator make;
    const uuid token = make.make();
    shard_epochs known(1);
    known.shut_out(0, token);
    CHECK(known.is_shut_out(0));
    known.saw(0, make.make());
    CHECK_FALSE(known.is_shut_out(0));
}
