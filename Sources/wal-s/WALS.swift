@main struct WALS { static func main() {} }
