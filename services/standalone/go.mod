module github.com/tidemark-chat/tidemark/services/standalone

go 1.26.0
