#pragma once

#include <filesystem>
#include <string>

namespace flashsale::test {

/// An empty folder of this test's own, removed at its end.
class scratch_folder {
public:
    scratch_folder();
    ~scratch_folder();
    scratch_folder(const scratch_folder&) = delete;
    scratch_folder& operator=(const scratch_folder&) = delete;

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

/// The same on a disk of its own that soon is full. Needs root; throws std::runtime_error.
class small_disk {
public:
    explicit small_disk(std::size_t bytes);
    ~small_disk();

    const std::filesystem::path& path() const { return mounted_.path(); }
    std::filesystem::path operator/(const std::string& name) const { return mounted_ / name; }

    /// Takes all the room that is left, or gives it back.
    void fill();
    void empty();

private:
    scratch_folder mounted_;
};

}  // namespace flashsale::test
