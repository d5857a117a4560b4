module github.com/tidemark-chat/tidemark/services/persister

go 1.26.0
