# Run while installing, by cmake/install.cmake: the files in which installed paths stand. GNU's rule:
# below the prefix, but /etc and /var where the prefix is /usr.

foreach(name SYSCONFDIR LOCALSTATEDIR BINDIR DATADIR)
    string(TOLOWER ${name} folder)
    if(IS_ABSOLUTE "${${name}}")
        set(${folder} "${${name}}")
    elseif(CMAKE_INSTALL_PREFIX STREQUAL "/usr" AND name MATCHES "SYSCONFDIR|LOCALSTATEDIR")
        set(${folder} "/${${name}}")
    else()
        set(${folder} "${CMAKE_INSTALL_PREFIX}/${${name}}")
    endif()
endforeach()
set(docdir "${datadir}/doc/flashsale")

# StateDirectory= makes a folder of /var/lib; another has to be there.
set(data_folder_line "ReadWritePaths=${localstatedir}/lib/flashsale")
if(localstatedir STREQUAL "/var")
    set(data_folder_line "")
endif()

configure_file("${SOURCE}/flashsale.json.in" "${WRITTEN}/flashsale.json" @ONLY)
configure_file("${SOURCE}/flashsale.service.in" "${WRITTEN}/flashsale.service" @ONLY)
set(unit "${CMAKE_INSTALL_PREFIX}/lib/systemd/system")
file(INSTALL "${WRITTEN}/flashsale.service" DESTINATION "${unit}")
# What an administrator has changed stays, but for dpkg, which asks.
if(NOT EXISTS "${sysconfdir}/flashsale/flashsale.json" OR NOT "$ENV{DESTDIR}" STREQUAL "")
    file(INSTALL "${WRITTEN}/flashsale.json" DESTINATION "${sysconfdir}/flashsale")
endif()
