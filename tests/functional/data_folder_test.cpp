// Whose the data folder is, and what is left in it.

#include <catch2/catch.hpp>

#include <set>

#include "served.hpp"

using namespace flashsale::test;
namespace fs = std::filesystem;

namespace {

constexpr fs::perms others = fs::perms::group_all | fs::perms::others_all;

std::set<std::string> open_to_others(const fs::path& folder) {
    std::set<std::string> out;
    if ((fs::status(folder).permissions() & others) != fs::perms::none) out.insert(".");
    for (const auto& one : fs::directory_iterator(folder)) {
        if ((one.status().permissions() & others) != fs::perms::none)
            out.insert(one.path().filename());
    }
    return out;
}

std::set<std::string> no_files(const fs::path& folder) {
    std::set<std::string> out;
    for (const auto& one : fs::directory_iterator(folder)) {
        if (!one.is_regular_file()) out.insert(one.path().filename());
    }
    return out;
}

}  // namespace

TEST_CASE("data folder: nobody else can get at it, whatever the umask") {
    const std::string umask = GENERATE(as<std::string>{}, "0", "022", "0277");
    CAPTURE(umask);
    served shop("umask " + umask + "; exec $SERVE");
    auto client = shop.client();
    make_user(client, "u");
    CHECK(open_to_others(shop.data()).empty());
    for (const auto& one : fs::directory_iterator(shop.data())) {
        CAPTURE(one.path());
        CHECK((one.status().permissions() & fs::perms::all) ==
              (fs::perms::owner_read | fs::perms::owner_write));
    }
    CHECK(shop.output().find("other users") == std::string::npos);
    CHECK(shop.terminate() == 0);
    CHECK(open_to_others(shop.data()).empty());
}

TEST_CASE("data folder: one that is open is said, with what to do") {
    const sandbox world(composition::embedded);
    fs::permissions(world.folder(), fs::perms::all);
    fs::permissions(world.folder() / "user.db", fs::perms(0644));
    flashsale_process shop(world);
    CHECK(shop.log().find("other users of this machine can get at the data: chmod go= " +
                          world.folder().string() + " " + (world.folder() / "user.db").string()) !=
          std::string::npos);
    CHECK(shop.terminate() == 0);
}

TEST_CASE(
    "data folder: nothing but files is in it, while it is served, afterwards, and after a kill") {
    served shop;
    auto client = shop.client();
    make_product(client, 3);
    const auto audit = [&] {
        return run({flashsale_binary(), "audit", "--config", embedded_config()},
                   {{"FLASHSALE_SQLITE__FOLDER", shop.data().string()}});
    };
    CHECK(no_files(shop.data()).empty());
    CHECK(fs::exists(shop.data() / "gate"));
    CHECK(audit().exit_code == 0);
    shop.shop().kill(SIGKILL);
    shop.shop().wait(std::chrono::seconds{30});
    CHECK(no_files(shop.data()).empty());
    CHECK(audit().exit_code == 0);
}

TEST_CASE("data folder: the socket that older versions left is gone after a start and a stop") {
    const sandbox world(composition::embedded);
    REQUIRE(
        run({"python3", "-c", "import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])",
             (world.folder() / "gate.sock").string()})
            .exit_code == 0);
    REQUIRE(no_files(world.folder()) == std::set<std::string>{"gate.sock"});
    flashsale_process shop(world);
    CHECK(shop.terminate() == 0);
    CHECK(no_files(world.folder()).empty());
    CHECK_FALSE(fs::exists(world.folder() / "gate"));
}
