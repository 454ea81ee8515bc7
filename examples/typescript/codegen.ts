import type { CodegenConfig } from "@graphql-codegen/cli";

const config: CodegenConfig = {
  // Or a running endpoint: GATEHOUSE_SCHEMA=http://localhost:8000/graphql npm run generate
  schema: process.env.GATEHOUSE_SCHEMA ?? "../../schema/schema.graphql",
  documents: ["src/*.ts"],
  generates: {
    "src/gql/": {
      preset: "client",
      presetConfig: { fragmentMasking: false },
      config: { scalars: { DateTime: "string" }, useTypeImports: true, importExtension: ".js" },
    },
  },
};

export default config;
