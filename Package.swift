// swift-tools-version: 6.2
import PackageDescription

/// The settings every room is compiled with; `docs/architecture.md` says why.
let house: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
]

/// Tests may mix what the rooms may not; they keep the language mode and the warnings.
let tests: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "wal-s",
    products: [.executable(name: "wal-s", targets: ["wal-s"])],
    targets: [
        // C libraries from Debian, each behind one thin module.
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(
            name: "CBrotli", pkgConfig: "libbrotlienc libbrotlidec", providers: [.apt(["libbrotli-dev"])]),
        .systemLibrary(name: "CLZMA", pkgConfig: "liblzma", providers: [.apt(["liblzma-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CPq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .target(name: "CKernels", cSettings: [.unsafeFlags(["-O3"])]),

        // The rooms, from the ground up. Nothing points up.
        .target(name: "Bytes", dependencies: ["CKernels"], swiftSettings: house),
        .target(name: "Postgres", dependencies: ["Bytes"], swiftSettings: house + [.strictMemorySafety()]),
        .target(name: "Digests", dependencies: ["Bytes", "CCrypto"], swiftSettings: house),
        .target(
            name: "Streams",
            dependencies: ["Bytes", "Digests", "CLZ4", "CZstd", "CBrotli", "CLZMA", "CZlib"],
            swiftSettings: house),
        .target(name: "Storage", dependencies: ["Bytes", "Digests", "CCurl"], swiftSettings: house),
        .target(name: "Server", dependencies: ["Bytes", "Postgres", "CPq"], swiftSettings: house),
        .target(name: "Repository", dependencies: ["Bytes", "Postgres", "Storage"], swiftSettings: house),
        .target(
            name: "Archiver",
            dependencies: ["Bytes", "Postgres", "Digests", "Streams", "Storage", "Server", "Repository"],
            swiftSettings: house),
        .target(
            name: "Commands",
            dependencies: ["Archiver", "Bytes", "Postgres", "Streams", "Storage", "Server", "Repository", "CYAML"],
            swiftSettings: house),
        .executableTarget(name: "wal-s", dependencies: ["Commands"], swiftSettings: house),

        // Tests: one target a room, and the scenarios on real servers.
        .target(name: "TestSupport", dependencies: ["Bytes"], path: "Tests/Support", swiftSettings: tests),
        .testTarget(name: "BytesTests", dependencies: ["Bytes", "TestSupport"], swiftSettings: tests),
        .testTarget(
            name: "PostgresTests", dependencies: ["Postgres", "Bytes", "TestSupport"],
            exclude: ["Fixtures", "Scripts"], swiftSettings: tests),
        .testTarget(
            name: "StreamsTests", dependencies: ["Streams", "Digests", "Bytes", "TestSupport"], swiftSettings: tests),
        .testTarget(
            name: "StorageTests", dependencies: ["Storage", "Digests", "Bytes", "TestSupport"], swiftSettings: tests),
        .testTarget(
            name: "RepositoryTests",
            dependencies: ["Repository", "Postgres", "Storage", "Bytes", "TestSupport"], swiftSettings: tests),
        .testTarget(
            name: "ArchiverTests",
            dependencies: [
                "Archiver", "Repository", "Server", "Streams", "Storage", "Postgres", "Digests", "Bytes",
                "TestSupport",
            ],
            swiftSettings: tests),
        .testTarget(
            name: "CommandsTests",
            dependencies: [
                "Commands", "Archiver", "Repository", "Server", "Storage", "Streams", "Postgres", "Bytes",
                "TestSupport",
            ],
            swiftSettings: tests),
        .testTarget(
            name: "ScenarioTests",
            dependencies: [
                "wal-s", "TestSupport", "Archiver", "Bytes", "Digests", "Postgres", "Storage", "Repository",
            ],
            exclude: ["Fixtures"], swiftSettings: tests),
    ]
)
