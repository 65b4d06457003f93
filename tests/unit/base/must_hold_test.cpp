#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>
#include <flashsale/base/must_hold.hpp>

#include <array>
#include <csignal>
#include <string>

using namespace flashsale;

TEST_CASE("must hold: what holds costs nothing, what does not ends the process with a sentence") {
    must_hold(true, "two is two");

    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ::signal(SIGABRT, SIG_DFL);  // Catch2's would report it
        ::dup2(ends[1], STDERR_FILENO);
        must_hold(false, "two is three");
        ::_exit(0);
    }
    ::close(ends[1]);
    std::string said;
    std::array<char, 256> piece{};
    for (ssize_t n = 0; (n = ::read(ends[0], piece.data(), piece.size())) > 0;)
        said.append(piece.data(), static_cast<std::size_t>(n));
    ::close(ends[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGABRT);
    CHECK_THAT(said, Catch::Contains("must_hold_test.cpp") &&
                         Catch::Contains("it does not hold that two is three\n"));
}
