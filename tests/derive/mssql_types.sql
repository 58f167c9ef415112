CREATE TABLE [end] (
  [end_id] BIGINT NOT NULL IDENTITY(1099511627776,1),
  [name] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [price] DECIMAL(12, 2) NOT NULL,
  [maybe_price] DECIMAL(12, 2) NULL,
  [odd] DECIMAL(5, 3) NULL,
  [wide] DECIMAL(38, 18) NULL,
  [deep] DECIMAL(38, 30) NULL,
  [whole] DECIMAL(38, 0) NULL,
  [share] DECIMAL(2, 2) NULL,
  [cents] DECIMAL(18, 2) NULL,
  [number] BIGINT NULL,
  [least] BIGINT NULL,
  [day] DATE NOT NULL,
  [maybe_day] DATE NULL,
  [moment] DATETIME2(3) NOT NULL,
  [maybe_moment] DATETIME2(3) NULL,
  [instant] DATETIME2(3) NOT NULL,
  [maybe_instant] DATETIME2(3) NULL,
  [truth] BIT NOT NULL,
  [maybe_truth] BIT NULL,
  [created] DATETIME2(3) NOT NULL,
  [created_by] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [updated] DATETIME2(3) NULL,
  [updated_by] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NULL,
  CONSTRAINT pk_end PRIMARY KEY ([end_id]),
  CONSTRAINT ck_end_name_length CHECK (LEN([name] COLLATE Latin1_General_100_CI_AS_SC) <= 20),
  CONSTRAINT ck_end_least_minimum CHECK ([least] >= -7),
  CONSTRAINT ck_end_created_by_length CHECK (LEN([created_by] COLLATE Latin1_General_100_CI_AS_SC) <= 128),
  CONSTRAINT ck_end_updated_by_present CHECK ([updated_by] <> ''),
  CONSTRAINT ck_end_updated_by_length CHECK (LEN([updated_by] COLLATE Latin1_General_100_CI_AS_SC) <= 128),
  CONSTRAINT uq_end UNIQUE ([name])
);

execute sp_addextendedproperty 'MS_Description', N'A value of every type.', 'schema', dbo, 'table', [end];

CREATE TABLE [old] (
  [old_id] BIGINT NOT NULL IDENTITY(1099511627776,1),
  [name] NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [first] DATE NOT NULL,
  [created] DATETIME2(3) NOT NULL,
  [created_by] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [updated] DATETIME2(3) NULL,
  [updated_by] NVARCHAR(256) COLLATE Latin1_General_100_BIN2 NULL,
  CONSTRAINT pk_old PRIMARY KEY ([old_id]),
  CONSTRAINT ck_old_name_length CHECK (LEN([name] COLLATE Latin1_General_100_CI_AS_SC) <= 20),
  CONSTRAINT ck_old_first_minimum CHECK ([first] >= '0001-01-01'),
  CONSTRAINT ck_old_created_by_length CHECK (LEN([created_by] COLLATE Latin1_General_100_CI_AS_SC) <= 128),
  CONSTRAINT ck_old_updated_by_present CHECK ([updated_by] <> ''),
  CONSTRAINT ck_old_updated_by_length CHECK (LEN([updated_by] COLLATE Latin1_General_100_CI_AS_SC) <= 128),
  CONSTRAINT uq_old UNIQUE ([name])
);

execute sp_addextendedproperty 'MS_Description', N'Days before our calendar, which Spark refuses.', 'schema', dbo, 'table', [old];

CREATE TABLE [aspen_etl_load] (
  [id] BIGINT NOT NULL,
  [version] BIGINT NULL,
  [token] NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
  [model] NVARCHAR(max) COLLATE Latin1_General_100_BIN2 NULL,
  [library] NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NULL,
  CONSTRAINT pk_aspen_etl_load PRIMARY KEY ([id]),
  CONSTRAINT ck_aspen_etl_load_one_row CHECK ([id] = 1)
);

execute sp_addextendedproperty 'MS_Description', N'Which commit of which store the tables hold.', 'schema', dbo, 'table', [aspen_etl_load];

execute sp_addextendedproperty 'MS_Description', N'always 1: the table has one row', 'schema', dbo, 'table', [aspen_etl_load], 'column', [id];

execute sp_addextendedproperty 'MS_Description', N'the commit that the tables hold; null after a load of frames', 'schema', dbo, 'table', [aspen_etl_load], 'column', [version];

execute sp_addextendedproperty 'MS_Description', N'the commit''s own token, which no other store has', 'schema', dbo, 'table', [aspen_etl_load], 'column', [token];

execute sp_addextendedproperty 'MS_Description', N'the tables of the model, as JSON', 'schema', dbo, 'table', [aspen_etl_load], 'column', [model];

execute sp_addextendedproperty 'MS_Description', N'the version of aspen_etl that loaded', 'schema', dbo, 'table', [aspen_etl_load], 'column', [library];
